//! A State's page of the Knowledge Gateway as something to import.

use practice::gateway::{GatewayDraft, GatewayError, Told};

use super::check;
use super::read::{Defaults, Import};

/// Reads a saved page, its text, or exported profiles: the drafts, judged like the rows of a sheet, and what
/// became of each part of the page.
///
/// # Errors
/// If no draft can be made of the file.
pub fn gateway(
    bytes: &[u8],
    file_name: &str,
    told: &Told,
    defaults: &Defaults,
) -> Result<(Import, Vec<GatewayDraft>), GatewayError> {
    let drafts = practice::gateway::read(bytes, told)?;
    let row = |(number, draft): (usize, &GatewayDraft)| {
        check::page(&format!("profile {number}"), draft.subject.clone(), defaults)
    };
    let rows = (1_usize..).zip(&drafts).map(row).collect();
    Ok((Import { file: file_name.to_owned(), rows, warnings: Vec::new() }, drafts))
}
