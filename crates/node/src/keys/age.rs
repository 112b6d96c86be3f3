//! The online secret under a passphrase, in the age format: what is written here `age -d` opens, and what
//! `age -p` wrote is opened here. The format and its cryptography are the `age` crate's; here are the bounds
//! of a small machine, and what to do when a file does not open.

use std::io::{ErrorKind, Read as _};

use ::age::secrecy::SecretString;
use ::age::{DecryptError, Decryptor, scrypt};
use zeroize::Zeroizing;

/// The first line of every age file.
pub const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// scrypt takes 128 · 8 · 2^16 bytes, 64 MiB: half a second, within a node of 512 MB.
const LOG_N: u8 = 16;

/// What `age -p` writes by itself (256 MiB); more would end a small machine.
const LOG_N_MAX: u8 = 18;

/// Bytes of a file; what is longer is no secret of ours. Its plain text is shorter still.
const FILE_BYTES_MAX: usize = 64 << 10;

/// Why a file cannot be opened, or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// The passphrase is another one, or the key in the header was changed.
    #[error("the passphrase is wrong")]
    Passphrase,
    /// Cut short, or changed.
    #[error("it is damaged: {0}; take it from a backup")]
    Damaged(&'static str),
    /// Encrypted to something that this program does not open.
    #[error(
        "it is not encrypted with a passphrase alone; open it with `age -d` and encrypt it with `age -p`"
    )]
    Recipient,
    /// It would take more memory than a node has.
    #[error(
        "its work factor {found} is over {LOG_N_MAX}: opening it would take too much memory; encrypt it again with `age -p`"
    )]
    Work {
        /// As in the file.
        found: u8,
    },
    /// Nothing was made.
    #[error("it cannot be encrypted: {0}")]
    Encrypt(String),
}

/// Whether `bytes` are an age file.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Encrypts `plain` so that `passphrase` opens it.
pub fn encrypt(plain: &[u8], passphrase: &str) -> Result<Vec<u8>, AgeError> {
    let mut recipient = scrypt::Recipient::new(secret(passphrase));
    // Not what this machine does in a second: the file may be opened on a smaller one.
    recipient.set_work_factor(LOG_N);
    ::age::encrypt(&recipient, plain).map_err(|error| AgeError::Encrypt(error.to_string()))
}

/// Opens what [`encrypt`], or `age -p`, made.
pub fn decrypt(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(AgeError::Damaged("it is too long for a secret"));
    }
    let decryptor = Decryptor::new_buffered(file).map_err(refused)?;
    if !decryptor.is_scrypt() {
        return Err(AgeError::Recipient);
    }
    let mut identity = scrypt::Identity::new(secret(passphrase));
    identity.set_max_work_factor(LOG_N_MAX);
    let identity: &dyn ::age::Identity = &identity;
    let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(refused)?;
    // As large as it can get: a buffer that grew would leave pieces of the secret behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut plain).map_err(|_| AgeError::Damaged("it was changed or cut short"))?;
    Ok(plain)
}

/// Wiped when dropped.
fn secret(passphrase: &str) -> SecretString {
    SecretString::from(passphrase.to_owned())
}

fn refused(error: DecryptError) -> AgeError {
    match error {
        // Of the key in the header, which the passphrase opens; the payload is read later.
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => AgeError::Passphrase,
        DecryptError::ExcessiveWork { required, .. } => AgeError::Work { found: required },
        DecryptError::InvalidHeader => AgeError::Damaged("its header is malformed"),
        DecryptError::InvalidMac => AgeError::Damaged("its header was changed"),
        DecryptError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            AgeError::Damaged("it is cut short")
        }
        DecryptError::Io(_) => AgeError::Damaged("its header cannot be read"),
        DecryptError::NoMatchingKeys => AgeError::Recipient,
        DecryptError::UnknownFormat => AgeError::Damaged("it is no age file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `age -p` of the Debian package age 1.1.1, passphrase `correct horse`, of the text `forty-two\n`.
    const BY_AGE: &[u8] = include_bytes!("by-age.age");

    #[test]
    fn what_the_age_program_encrypted_is_opened() {
        assert_eq!(decrypt(BY_AGE, "correct horse").unwrap().as_slice(), b"forty-two\n");
    }

    #[test]
    fn what_was_encrypted_is_opened_with_its_passphrase_alone() {
        let file = encrypt(b"secret", "correct horse").unwrap();
        assert_eq!(decrypt(&file, "correct horse").unwrap().as_slice(), b"secret");
        assert_eq!(decrypt(&file, "correct horsf").unwrap_err(), AgeError::Passphrase);
    }

    #[test]
    fn a_file_cut_anywhere_is_damaged_and_opens_to_nothing() {
        let file = encrypt(b"secret", "p").unwrap();
        // Cuts within the header are told before the passphrase is tried.
        let header = file.windows(4).position(|bytes| bytes == b"\n---").unwrap();
        for length in MAGIC.len()..header {
            assert!(matches!(decrypt(&file[..length], "p"), Err(AgeError::Damaged(_))), "{length}");
        }
        for length in [file.len() - 1, file.len() - 17, file.len() - 39] {
            assert!(matches!(decrypt(&file[..length], "p"), Err(AgeError::Damaged(_))), "{length}");
        }
    }

    #[test]
    fn a_changed_byte_of_the_payload_or_the_mac_is_found() {
        let file = encrypt(b"secret", "p").unwrap();
        let mac = file.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 6;
        for at in [mac, file.len() - 1, file.len() - 20] {
            let mut changed = file.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(decrypt(&changed, "p").is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_file_for_another_recipient_is_told_apart_from_a_wrong_passphrase() {
        let identity = ::age::x25519::Identity::generate();
        let file = ::age::encrypt(&identity.to_public(), b"secret").unwrap();
        assert_eq!(decrypt(&file, "p").unwrap_err(), AgeError::Recipient);
    }

    #[test]
    fn a_file_longer_than_any_secret_is_not_opened() {
        let file = encrypt(&vec![0; FILE_BYTES_MAX], "p").unwrap();
        let error = decrypt(&file, "p").unwrap_err();
        assert_eq!(error, AgeError::Damaged("it is too long for a secret"));
    }

    #[test]
    fn a_work_factor_that_would_take_all_memory_is_refused() {
        let file = encrypt(b"secret", "p").unwrap();
        let text = String::from_utf8_lossy(&file).replacen(" 16\n", " 30\n", 1);
        assert_eq!(decrypt(text.as_bytes(), "p").unwrap_err(), AgeError::Work { found: 30 });
    }
}
