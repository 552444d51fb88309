//! Request ids as clients make them.

use clap::ValueEnum;
use rand::Rng as _;
use uuid::{Builder, Uuid};

/// Which kind of UUID a request is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum RequestIds {
    /// Random, as most clients of most languages make them: each lands anywhere in an index
    V4,
    /// By time: each lands behind the last
    V7,
}

impl RequestIds {
    pub(super) fn next(self) -> Uuid {
        match self {
            // The generator of the thread, because asking the system each time would cost the load generator more.
            Self::V4 => Builder::from_random_bytes(rand::rng().random()).into_uuid(),
            Self::V7 => Uuid::now_v7(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_differs_and_is_of_its_kind() {
        for (kind, version) in [(RequestIds::V4, 4), (RequestIds::V7, 7)] {
            let ids: Vec<Uuid> = (0..100).map(|_| kind.next()).collect();
            let distinct: std::collections::HashSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len());
            assert!(ids.iter().all(|id| id.get_version_num() == version));
            assert_eq!(ids.is_sorted(), kind == RequestIds::V7);
        }
    }
}
