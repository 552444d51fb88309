//! Whether a measurement is worth anything: programs look at the exit code.

use crate::failure::Failure;

/// Fails when nothing was measured, or when what must not happen did. `faults` says how often each thing was found.
pub(super) fn verdict(measured: u64, faults: &[(&str, u64)]) -> Result<(), Failure> {
    let found: Vec<String> =
        faults.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what}: {count}")).collect();
    if !found.is_empty() {
        return Err(Failure::Other(format!("the measurement found what must not be: {}", found.join(", "))));
    }
    if measured == 0 {
        return Err(Failure::Other("nothing was measured: let it run longer".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_fault_is_a_failure() {
        assert!(verdict(1, &[("errors", 0), ("gaps", 0)]).is_ok());
        let Err(Failure::Other(message)) = verdict(1, &[("errors", 2), ("gaps", 0), ("duplicates", 1)]) else {
            panic!("no failure")
        };
        assert_eq!(message, "the measurement found what must not be: errors: 2, duplicates: 1");
        assert!(verdict(0, &[("errors", 0)]).is_err());
    }
}
