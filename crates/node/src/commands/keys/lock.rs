//! `jopoi keys encrypt`, `decrypt` and `unlock`.

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use wire::api::keys::{KeysStatus, SecretText, UnlockRequest};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::keys::online::{Slot, Stored};
use crate::keys::passphrase::Passphrase;
use crate::output::{Done, Output};
use crate::place::Place;

/// Encrypt the online secret with a passphrase, in the age format. A server that runs goes on; at its next
/// start it asks, or a systemd credential answers.
#[derive(Args)]
pub struct Encrypt {
    /// Tell what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Store the online secret unencrypted again (mode 0600).
#[derive(Args)]
pub struct Decrypt {
    /// Tell what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Give a running server the passphrase of its online secret. Until then it serves and does not publish.
#[derive(Args)]
pub struct Unlock {}

impl Encrypt {
    /// Encrypts each file of the secret.
    pub fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let plain = stored(&place)?;
        if plain.iter().any(|(_, stored)| matches!(stored, Stored::Encrypted(_))) {
            bail!(
                "the online secret is encrypted already; `jopoi keys decrypt` first, to choose another passphrase"
            );
        }
        if self.dry_run {
            return nothing(&output, "encrypt", &plain);
        }
        let passphrase = global.passphrase().choose()?;
        for (slot, stored) in plain {
            slot.write(&place.data, &stored.open(slot, None)?, Some(&passphrase))?;
        }
        output.json(&json!({"encrypted": true}))?;
        output.say("Encrypted the online secret. Keep the passphrase in a safe: without it, the root key makes new keys.")?;
        output.say("A server that starts without a terminal needs the systemd credential online-passphrase (deploy/systemd).")?;
        output.say("What was written before may still lie on the disk, and in backups: if they may have been read, `jopoi keys rotate`.")?;
        Ok(Done::Fully)
    }
}

impl Decrypt {
    /// Writes each file of the secret as plain text.
    pub fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let encrypted = stored(&place)?;
        if encrypted.iter().all(|(_, stored)| matches!(stored, Stored::Plain(_))) {
            bail!("the online secret is not encrypted");
        }
        if self.dry_run {
            return nothing(&output, "decrypt", &encrypted);
        }
        let passphrase = ask(global)?;
        // All are opened before any is written: half of them open would be neither.
        let mut opened = Vec::new();
        for (slot, stored) in encrypted {
            opened.push((slot, stored.open(slot, Some(&passphrase))?));
        }
        for (slot, online) in opened {
            slot.write(&place.data, &online, None)?;
        }
        output.json(&json!({"encrypted": false}))?;
        output.say(
            "The online secret is no longer encrypted: whoever can read this user's files has it.",
        )?;
        Ok(Done::Fully)
    }
}

impl Unlock {
    /// Hands the passphrase over the control socket, which the operator alone may open.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let control = Control::reach(&Place { passphrase: Default::default(), ..place }).await?;
        if matches!(control, Control::Here(_)) {
            bail!(
                "no server runs here: there is nothing to unlock; `jopoi serve` asks when it starts"
            );
        }
        let passphrase = ask(global)?;
        let request = UnlockRequest { passphrase: SecretText(passphrase.reveal().to_owned()) };
        let status: KeysStatus = control.post(paths::API_KEYS_UNLOCK, &request).await?;
        output.json(&status)?;
        output.say(format!("{} is unlocked: it publishes again.", status.node))?;
        Ok(Done::Fully)
    }
}

fn ask(global: &Global) -> anyhow::Result<Passphrase> {
    let found = global.passphrase().find("Passphrase of the online secret")?;
    found.context("no passphrase was given: use --passphrase-file FILE, or a terminal")
}

/// The files of the secret that lie in the data directory itself.
fn stored(place: &Place) -> anyhow::Result<Vec<(Slot, Stored)>> {
    let mut found = Vec::new();
    for slot in Slot::ALL {
        if slot.path(&place.data).exists()
            && let Some(stored) = slot.read(&place.data)?
        {
            found.push((slot, stored));
        }
    }
    if found.is_empty() {
        bail!("there is no online secret in {}", place.data.join("keys").display());
    }
    Ok(found)
}

fn nothing(output: &Output, verb: &str, files: &[(Slot, Stored)]) -> anyhow::Result<Done> {
    output.json(&json!({"dry_run": true, "files": files.len()}))?;
    output.say(format!(
        "Would {verb} {} file(s) of the online secret. Nothing was written.",
        files.len()
    ))?;
    Ok(Done::Fully)
}
