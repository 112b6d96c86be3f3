//! What `object_store` says, in the words of the port.

use std::error::Error;
use std::io;

use feed::ports::StoreError;
use object_store::path::Path;

use super::disk;

/// The place of an object for `object_store`, which has a rule of its own for names.
pub(super) fn path(what: &str) -> Result<Path, StoreError> {
    Path::parse(what)
        .map_err(|error| StoreError::Refused { what: what.to_owned(), why: error.to_string() })
}

/// A failure, by the system's own error at the bottom of it.
pub(super) fn failure(action: &'static str, what: &str, error: object_store::Error) -> StoreError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(code) = inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return disk::refusal(action, what, io::Error::from_raw_os_error(code));
        }
        cause = inner.source();
    }
    disk::refusal(action, what, io::Error::other(error))
}

/// Whether a failed write may have been a failed sync: `object_store` does not tell them apart, so an input
/// or output error, or what is no error of the system at all, counts as one.
pub(super) fn is_grave(error: &io::Error) -> bool {
    error.raw_os_error().is_none_or(|code| code == rustix::io::Errno::IO.raw_os_error())
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn the_error_of_the_system_is_found_below_any_wrapping() {
        let failed = |code: Errno| {
            let source = io::Error::from_raw_os_error(code.raw_os_error());
            failure(
                "write",
                "x",
                object_store::Error::Generic { store: "test", source: source.into() },
            )
        };
        for code in [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::ACCESS] {
            assert!(matches!(failed(code), StoreError::Full { .. }), "{code:?}");
        }
        for (code, grave) in [(Errno::IO, true), (Errno::MFILE, false), (Errno::NAMETOOLONG, false)]
        {
            let StoreError::Io { source, .. } = failed(code) else { panic!("{code:?}") };
            assert_eq!(is_grave(&source), grave, "{code:?}");
        }
    }
}
