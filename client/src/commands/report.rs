//! What an import or a measurement ends with.

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::show;

/// One object of numbers: as JSON, or as the lines that people read.
pub(crate) fn report<T: Serialize>(
    output: Output,
    report: &T,
    lines: impl FnOnce(&T) -> Vec<(&'static str, String)>,
) -> Result<(), Failure> {
    if !output.is_json() {
        return output::lines(&show::card(&lines(report)));
    }
    let value = serde_json::to_value(report)
        .map_err(|error| Failure::Other(format!("cannot write the report as JSON: {error}")))?;
    output.json(&value)
}
