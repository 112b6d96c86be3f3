//! `jopoi show`.

use clap::Args;
use serde_json::Value;
use wire::api::{Delivery, Record};

use crate::cli::Global;
use crate::output::{Done, Output};
use crate::record_name::RecordName;
use crate::text;

/// Show one record in all its languages, and what its feed says of it.
#[derive(Args)]
pub struct Show {
    /// The record: urn:uuid:…, NODE/FEED/UUID, or the address of its page.
    id: String,
}

impl Show {
    /// Finds and prints it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let name = RecordName::parse(&self.id)?;
        let control = global.control().await?;
        let record = name.find(&control).await?;
        output.json(&record)?;
        tell(&record, &output)?;
        Ok(Done::Fully)
    }
}

/// `31 of 34`
fn told(delivery: &Delivery) -> String {
    format!("{} of {}", delivery.count, delivery.of)
}

fn tell(record: &Record, output: &Output) -> anyhow::Result<()> {
    output.say(format!("{} ({}) in {}", record.id, record.kind, record.origin))?;
    match (record.version, record.index) {
        (Some(version), Some(index)) => {
            output.say(format!("{}: version {version}, entry {index}", record.standing))?;
        }
        (None, Some(index)) => output.say(format!("{}: entry {index}", record.standing))?,
        _ => output.say(&record.standing)?,
    }
    output.say("")?;
    if let Some(subject) = record.body.as_ref().and_then(|body| body.get("credentialSubject")) {
        let mut subject = subject.clone();
        if let Value::Object(members) = &mut subject {
            members.shift_remove("id");
        }
        for line in text::lines(&subject) {
            output.say(line)?;
        }
        output.say("")?;
    }
    let rows = record.statements.iter().map(|statement| {
        [
            statement.index.to_string(),
            statement.op.clone(),
            statement.version.map(|version| version.to_string()).unwrap_or_default(),
            statement.validity.clone(),
            statement.body_state.clone(),
            statement.delivery.as_ref().map(told).unwrap_or_default(),
        ]
    });
    output.table(["ENTRY", "SAYS", "VERSION", "VALIDITY", "TEXT", "RECEIVED BY"], rows)?;
    for statement in &record.statements {
        let Some(delivery) = &statement.delivery else { continue };
        let done = if statement.erases { "erased by" } else { "received by" };
        let entry = statement.index;
        output.say(format!("entry {entry}: {done} {} nodes", told(delivery)))?;
        for (word, nodes) in [("have", &delivery.received), ("not yet", &delivery.waiting)] {
            if !nodes.is_empty() {
                let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                output.say(format!("  {word}: {}", names.join(", ")))?;
            }
        }
    }
    output.say("")?;
    output.say(format!("Check it: jopoi verify {}", record.id))
}
