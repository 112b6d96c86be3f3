//! The keys of a node: root and recovery, which leave the machine once they are made, and the online
//! secret, from which everything is derived that signs every day (design 4.5).
//!
//! [`offline`] has the two that lie in safes, [`online`] the files of the secret, [`age`] how they are
//! encrypted, [`passphrase`] where a passphrase may come from, [`ring`] which secret is in use, [`protocol`] the paper
//! that stays.

pub mod age;
pub mod ceremony;
pub mod files;
pub mod offline;
pub mod online;
pub mod passphrase;
pub mod protocol;
pub mod ring;

pub use files::{SECRET_BYTES, Secret};
pub use offline::{Role, Root, fingerprint, root_path};
