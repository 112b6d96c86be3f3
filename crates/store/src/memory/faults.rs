//! What goes wrong in a [`MemoryStore`](super::MemoryStore), and when.

use std::io;

use feed::ports::StoreError;

/// One fault at one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the write; from then on every call fails.
    CrashBefore,
    /// The process ends in the middle of it: an append leaves this many of its bytes, anything else nothing.
    CrashAmid {
        /// Bytes of the append that are on disk.
        bytes: usize,
    },
    /// The process ends after the write and before anybody heard of it.
    CrashAfter,
    /// No room: refused, and nothing was changed.
    Full,
    /// The disk reports an error: refused, and nothing was changed.
    Broken,
    /// It was written, and the sync failed: nothing more can be written, reading goes on.
    Unsynced,
}

/// Which write goes wrong, and what it was.
#[derive(Clone, Debug)]
pub struct Faults {
    order: Option<(u64, Fault)>,
    writes: u64,
    after: Option<Fault>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self { order: None, writes: 0, after: None }
    }

    /// The `at`-th write from now, counted from 1, meets `fault`.
    pub fn at(at: u64, fault: Fault) -> Self {
        Self { order: Some((at, fault)), ..Self::none() }
    }

    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// Whether the process still lives.
    pub(super) fn reading(&self) -> Result<(), StoreError> {
        match self.after {
            None | Some(Fault::Unsynced) => Ok(()),
            Some(_) => Err(ended()),
        }
    }

    /// Counts a write. An error: it does not happen, and nothing was changed.
    pub(super) fn writing(&mut self, what: &str) -> Result<Course, StoreError> {
        let poisoned = || StoreError::Poisoned { what: what.to_owned() };
        self.reading()?;
        if self.after.is_some() {
            return Err(poisoned());
        }
        self.writes += 1;
        let Some((_, fault)) = self.order.filter(|(at, _)| *at == self.writes) else {
            return Ok(Course::Done);
        };
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        match fault {
            Fault::Full => Err(StoreError::Full {
                what: what.to_owned(),
                source: io(io::ErrorKind::StorageFull),
            }),
            Fault::Broken => Err(StoreError::Io {
                action: "write",
                what: what.to_owned(),
                source: io(io::ErrorKind::Other),
            }),
            _ => {
                self.after = Some(fault);
                match fault {
                    Fault::CrashAmid { bytes } => {
                        Ok(Course::LostAfter { bytes: Some(bytes), error: ended() })
                    }
                    Fault::CrashAfter => Ok(Course::LostAfter { bytes: None, error: ended() }),
                    Fault::Unsynced => Ok(Course::LostAfter { bytes: None, error: poisoned() }),
                    _ => Ok(Course::LostAfter { bytes: Some(0), error: ended() }),
                }
            }
        }
    }
}

/// What becomes of a write that is begun.
pub(super) enum Course {
    /// It is done and acknowledged.
    Done,
    /// All of it, or its first bytes, are on disk, and the caller hears this error.
    LostAfter { bytes: Option<usize>, error: StoreError },
}

fn ended() -> StoreError {
    let source =
        io::Error::new(io::ErrorKind::ConnectionAborted, "the process has ended, as ordered");
    StoreError::Io { action: "go on with", what: "the store".to_owned(), source }
}
