//! The age format (`age-encryption.org/v1`), as far as a short secret under a passphrase needs it: one
//! scrypt recipient, one chunk. What is written here `age -d` opens, and what `age -p` wrote is opened here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The first line of every age file.
pub const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// scrypt takes 128 · 8 · 2^16 bytes, 64 MiB: half a second, within a node of 512 MB.
const LOG_N: u8 = 16;

/// What `age -p` writes by itself (256 MiB); more would end a small machine.
const LOG_N_MAX: u8 = 18;

/// Plain bytes of one chunk; what is longer is no secret of ours.
const CHUNK_BYTES: usize = 64 << 10;

const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
const SALT_BYTES: usize = 16;
const FILE_KEY_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;

/// The last chunk is the first: counter 0, then the mark of the last.
const ONLY_CHUNK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// Why a file cannot be opened.
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
}

/// Whether `bytes` are an age file.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Encrypts `plain` so that `passphrase` opens it. `random` fills what must be fresh.
pub fn encrypt(
    plain: &[u8],
    passphrase: &str,
    random: &dyn Fn(&mut [u8]),
) -> Result<Vec<u8>, AgeError> {
    let mut salt = [0; SALT_BYTES];
    let mut file_key = Zeroizing::new([0; FILE_KEY_BYTES]);
    let mut nonce = [0; NONCE_BYTES];
    random(&mut salt);
    random(file_key.as_mut_slice());
    random(&mut nonce);
    let wrapping = wrapping_key(passphrase, &salt, LOG_N)?;
    let wrapped = cipher(&wrapping).encrypt(&Nonce::default(), file_key.as_slice());
    let wrapped = wrapped.map_err(|_| AgeError::Damaged("it cannot be encrypted"))?;
    let mut file = MAGIC.to_vec();
    let stanza = format!(
        "-> scrypt {} {LOG_N}\n{}\n---",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(wrapped)
    );
    file.extend_from_slice(stanza.as_bytes());
    let mac = header_mac(file_key.as_slice(), &file)?.finalize().into_bytes();
    file.extend_from_slice(format!(" {}\n", STANDARD_NO_PAD.encode(mac)).as_bytes());
    file.extend_from_slice(&nonce);
    let key = derived(file_key.as_slice(), &nonce, b"payload")?;
    let sealed = cipher(&key).encrypt(&Nonce::from(ONLY_CHUNK), plain);
    file.extend_from_slice(&sealed.map_err(|_| AgeError::Damaged("it cannot be encrypted"))?);
    Ok(file)
}

/// Opens what [`encrypt`], or `age -p`, made.
pub fn decrypt(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    let header = Header::read(file)?;
    let wrapping = wrapping_key(passphrase, &header.salt, header.log_n)?;
    let file_key = cipher(&wrapping).decrypt(&Nonce::default(), header.wrapped.as_slice());
    let file_key = Zeroizing::new(file_key.map_err(|_| AgeError::Passphrase)?);
    header_mac(&file_key, header.covered)?
        .verify_slice(&header.mac)
        .map_err(|_| AgeError::Damaged("its header was changed"))?;
    let (nonce, sealed) =
        header.rest.split_at_checked(NONCE_BYTES).ok_or(AgeError::Damaged("it is cut short"))?;
    if sealed.len() > CHUNK_BYTES + TAG_BYTES {
        return Err(AgeError::Damaged("it is too long for a secret"));
    }
    let key = derived(&file_key, nonce, b"payload")?;
    let plain = cipher(&key).decrypt(&Nonce::from(ONLY_CHUNK), sealed);
    plain.map(Zeroizing::new).map_err(|_| AgeError::Damaged("it was changed or cut short"))
}

/// A header with one scrypt stanza.
struct Header<'a> {
    salt: Vec<u8>,
    log_n: u8,
    wrapped: Vec<u8>,
    /// What the MAC covers: up to and with `---`.
    covered: &'a [u8],
    mac: Vec<u8>,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Result<Self, AgeError> {
        let cut = || AgeError::Damaged("it is cut short");
        let rest = file.strip_prefix(MAGIC).ok_or(AgeError::Damaged("it is no age file"))?;
        let (stanza, rest) = line(rest).ok_or_else(cut)?;
        let mut words = stanza.split(' ');
        if (words.next(), words.next()) != (Some("->"), Some("scrypt")) {
            return Err(AgeError::Recipient);
        }
        let salt = bytes(words.next().unwrap_or_default(), SALT_BYTES)?;
        let log_n = words.next().and_then(|word| word.parse().ok());
        let log_n: u8 = log_n.ok_or(AgeError::Damaged("its work factor is no number"))?;
        if log_n > LOG_N_MAX || log_n == 0 {
            return Err(AgeError::Work { found: log_n });
        }
        let (wrapped, rest) = line(rest).ok_or_else(cut)?;
        let wrapped = bytes(wrapped, FILE_KEY_BYTES + TAG_BYTES)?;
        let covered_bytes = file.len() - rest.len() + "---".len();
        let (last, rest) = line(rest).ok_or_else(cut)?;
        // A passphrase stands alone: another recipient could open the file too.
        let mac = last.strip_prefix("--- ").ok_or(AgeError::Recipient)?;
        let covered = file.get(..covered_bytes).ok_or_else(cut)?;
        Ok(Self { salt, log_n, wrapped, covered, mac: bytes(mac, 32)?, rest })
    }
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((std::str::from_utf8(line).ok()?, rest.get(1..)?))
}

fn bytes(text: &str, length: usize) -> Result<Vec<u8>, AgeError> {
    let bytes = STANDARD_NO_PAD.decode(text);
    let bytes = bytes.ok().filter(|bytes| bytes.len() == length);
    bytes.ok_or(AgeError::Damaged("its header is malformed"))
}

fn wrapping_key(passphrase: &str, salt: &[u8], log_n: u8) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let invalid = |_| AgeError::Work { found: log_n };
    let parameters = scrypt::Params::new(log_n, 8, 1).map_err(invalid)?;
    let mut key = Zeroizing::new([0; 32]);
    let salt = [SALT_LABEL, salt].concat();
    scrypt::scrypt(passphrase.as_bytes(), &salt, &parameters, key.as_mut_slice())
        .map_err(|_| AgeError::Work { found: log_n })?;
    Ok(key)
}

fn derived(file_key: &[u8], salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), file_key)
        .expand(info, key.as_mut_slice())
        .map_err(|_| AgeError::Damaged("its key cannot be derived"))?;
    Ok(key)
}

fn header_mac(file_key: &[u8], covered: &[u8]) -> Result<Hmac<Sha256>, AgeError> {
    let key = derived(file_key, &[], b"header")?;
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_slice());
    let mut mac = mac.map_err(|_| AgeError::Damaged("its key cannot be derived"))?;
    mac.update(covered);
    Ok(mac)
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&(**key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `age -p` of the Debian package age 1.1.1, passphrase `correct horse`, of the text `forty-two\n`.
    const BY_AGE: &[u8] = include_bytes!("by-age.age");

    fn fixed(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    #[test]
    fn what_the_age_program_encrypted_is_opened() {
        assert_eq!(decrypt(BY_AGE, "correct horse").unwrap().as_slice(), b"forty-two\n");
    }

    #[test]
    fn what_was_encrypted_is_opened_with_its_passphrase_alone() {
        let file = encrypt(b"secret", "correct horse", &fixed).unwrap();
        assert_eq!(decrypt(&file, "correct horse").unwrap().as_slice(), b"secret");
        assert_eq!(decrypt(&file, "correct horsf").unwrap_err(), AgeError::Passphrase);
    }

    #[test]
    fn a_file_cut_anywhere_is_damaged_and_opens_to_nothing() {
        let file = encrypt(b"secret", "p", &fixed).unwrap();
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
        let file = encrypt(b"secret", "p", &fixed).unwrap();
        let mac = file.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 6;
        for at in [mac, file.len() - 1, file.len() - 20] {
            let mut changed = file.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(decrypt(&changed, "p").is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_work_factor_that_would_take_all_memory_is_refused() {
        let file = encrypt(b"secret", "p", &fixed).unwrap();
        let text = String::from_utf8_lossy(&file).replacen(" 16\n", " 30\n", 1);
        assert_eq!(decrypt(text.as_bytes(), "p").unwrap_err(), AgeError::Work { found: 30 });
    }
}
