//! zstd frames: one frame, its content size declared and within the limit before anything is decoded.

use std::cell::RefCell;

use zstd::bulk::Compressor;
use zstd::zstd_safe;

/// Windows up to 8 MiB: what a small machine can decode.
pub const WINDOW_MAX: u64 = 8 << 20;

const LEVEL: i32 = 3;
/// What a kept compressor is used for: its tables grow with what it is given, and small ones stay small.
const SMALL_BYTES: usize = 64 << 10;
const UNDECLARED: usize = usize::MAX;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Compresses `plain` into one frame that carries its content size.
pub fn pack(plain: &[u8]) -> Result<Vec<u8>, FrameError> {
    let broken = |error: std::io::Error| FrameError::Broken { reason: error.to_string() };
    if plain.len() > SMALL_BYTES {
        return zstd::bulk::compress(plain, LEVEL).map_err(broken);
    }
    // Making a compressor takes longer than compressing one record; each thread keeps one.
    thread_local! {
        static KEPT: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    KEPT.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL).map_err(broken)?),
        };
        compressor.compress(plain).map_err(broken)
    })
}

/// Whether `bytes` begin like a zstd frame.
pub fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Bytes of content that a frame declares; the greatest number if it declares none, which is refused.
pub fn declared(packed: &[u8]) -> usize {
    let size = zstd_safe::get_frame_content_size(packed).ok().flatten();
    size.map_or(UNDECLARED, |size| usize::try_from(size).unwrap_or(UNDECLARED))
}

/// Decodes one frame, nothing after it, of at most `limit` bytes of content.
pub fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, FrameError> {
    let broken = |reason: &str| FrameError::Broken { reason: reason.to_owned() };
    check_header(packed)?;
    let declared = declared(packed);
    if declared == UNDECLARED {
        return Err(broken("it does not declare its size"));
    }
    if declared > limit {
        return Err(FrameError::TooLarge { declared, limit });
    }
    match zstd_safe::find_frame_compressed_size(packed) {
        Ok(length) if length == packed.len() => {}
        _ => return Err(broken("it is not exactly one frame")),
    }
    let plain = zstd::bulk::decompress(packed, declared)
        .map_err(|error| FrameError::Broken { reason: error.to_string() })?;
    if plain.len() == declared {
        Ok(plain)
    } else {
        Err(broken("it is not as long as it declares"))
    }
}

/// RFC 8878, 3.1.1.1: no dictionary, and a window of at most [`WINDOW_MAX`] (a single-segment frame
/// has none but its content, whose size the caller limits).
fn check_header(packed: &[u8]) -> Result<(), FrameError> {
    let broken = |reason: &str| FrameError::Broken { reason: reason.to_owned() };
    let (Some(MAGIC), Some(&descriptor)) = (packed.first_chunk::<4>().copied(), packed.get(4))
    else {
        return Err(broken("it does not begin like one"));
    };
    if descriptor & 0b11 != 0 {
        return Err(broken("it wants a dictionary"));
    }
    let single_segment = descriptor & 0b10_0000 != 0;
    if !single_segment {
        let window = packed.get(5).copied().unwrap_or(u8::MAX);
        let base = 1_u64 << (10 + u32::from(window >> 3));
        let size = base + (base >> 3) * u64::from(window & 0b111);
        if size > WINDOW_MAX {
            return Err(broken("its window is over 8 MiB"));
        }
    }
    Ok(())
}

/// Why a frame was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Its content would be longer than allowed; nothing was decoded.
    #[error("a compressed part declares {declared} bytes, and {limit} are allowed there")]
    TooLarge {
        /// What it declares.
        declared: usize,
        /// What is allowed.
        limit: usize,
    },
    /// It cannot be decoded.
    #[error("a compressed part is broken: {reason}")]
    Broken {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_whole() {
        let plain = b"hands open to one another ".repeat(400);
        assert_eq!(unpack(&pack(&plain).unwrap(), plain.len()).unwrap(), plain);
    }

    #[test]
    fn a_bomb_is_refused_by_the_size_it_declares() {
        let bomb = pack(&vec![0; 100_000_000]).unwrap();
        assert!(bomb.len() < 20_000);
        assert_eq!(
            unpack(&bomb, 1_000_000),
            Err(FrameError::TooLarge { declared: 100_000_000, limit: 1_000_000 })
        );
    }

    #[test]
    fn what_is_cut_lengthened_or_doubled_is_refused() {
        let packed = pack(b"one two three").unwrap();
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end], 100).is_err(), "cut at {end}");
        }
        assert!(unpack(&[packed.clone(), vec![0]].concat(), 100).is_err());
        assert!(unpack(&[packed.clone(), packed].concat(), 100).is_err());
    }
}
