//! What is done now and then: forgetting old request ids, taking away the files that nobody has, and completing the lists of
//! tickets by skills.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::skill_lists::SkillLists;
use super::sweep::Sweep;
use super::{Engine, Failure};
use crate::domain::time::{DAY, Micros};
use crate::store::{AnyConnection, StoreError, dialect, heads, requests};

/// How long a request id is remembered.
const REQUEST_IDS_KEPT: i64 = 7 * DAY;
/// How often some of the remembered requests are looked at.
const EVERY: Duration = Duration::from_mins(1);
/// How many of a helpdesk's are looked at each time at least: 28 million a day.
const LOOKED_AT: usize = 20_000;
/// How long into a round a helpdesk may be looked at further where much goes: it takes more commands than that a day.
const LONGEST: Duration = Duration::from_secs(20);
/// How many are looked at, and may go, in one transaction: no commit waits long for it.
const AT_ONCE: i64 = 1_000;
/// How long a helpdesk is left alone when all of its have been looked at.
const REST: Duration = Duration::from_hours(1);

/// Walks through the remembered requests, each helpdesk's in the order of its key, round after round: an index by time
/// would cost every command more than the walk does.
#[derive(Default)]
pub struct Housekeeping {
    walks: HashMap<String, Walk>,
    sweep: Sweep,
    skill_lists: SkillLists,
}

/// How far the round of one helpdesk has come.
#[derive(Default)]
struct Walk {
    place: requests::Place,
    rests_until: Option<Instant>,
}

impl Housekeeping {
    /// Runs until it is dropped.
    pub async fn run(engine: Arc<Engine>) {
        let mut housekeeping = Self::default();
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(failure) = housekeeping.forget(&engine).await {
                tracing::warn!(%failure, "housekeeping failed");
            }
            if let Err(failure) = housekeeping.sweep.run(&engine).await {
                tracing::warn!(%failure, "files that nobody has were not taken away");
            }
            if let Err(failure) = housekeeping.skill_lists.run(&engine).await {
                tracing::warn!(%failure, "the lists of tickets by skills were not completed");
            }
        }
    }

    async fn forget(&mut self, engine: &Arc<Engine>) -> Result<(), Failure> {
        let helpdesks = engine.read(|connection| Ok(heads::last_revisions(connection)?)).await?;
        self.walks.retain(|helpdesk, _| helpdesks.iter().any(|(known, _)| known == helpdesk));
        let (mut forgotten, begun) = (0, Instant::now());
        for (helpdesk, _) in helpdesks {
            let walk = self.walks.entry(helpdesk.clone()).or_default();
            if walk.rests_until.is_some_and(|until| until > Instant::now()) {
                continue;
            }
            for steps in 1.. {
                let step_begun = Instant::now();
                let (place, old) = step(engine, &helpdesk, walk.place.clone()).await?;
                forgotten += old;
                let Some(place) = place else {
                    *walk = Walk { rests_until: Some(Instant::now() + REST), ..Walk::default() };
                    break;
                };
                walk.place = place;
                if !goes_on(steps, old, begun.elapsed()) {
                    break;
                }
                // The commits of others come in between.
                tokio::time::sleep(step_begun.elapsed()).await;
            }
        }
        // The writer moves the log into the database file by its own changes, which may be few.
        if forgotten > 0 {
            engine.read(|connection| Ok(dialect::checkpoint(connection)?)).await?;
        }
        Ok(())
    }
}

/// Whether more of a helpdesk's are looked at now: after so many steps, of which the last found so many old ones.
fn goes_on(steps: usize, old: usize, taken: Duration) -> bool {
    steps < LOOKED_AT / AT_ONCE as usize || (old >= AT_ONCE as usize / 2 && taken < LONGEST)
}

/// The time by which is told what has expired: that of this process, or of the last commit where that is earlier. A process
/// whose clock is ahead of the others' takes nothing away that they still keep; what expires in a helpdesk that nobody writes
/// to stays until somebody does.
pub(super) fn common_time(connection: &mut AnyConnection, helpdesk: &str, now: Micros) -> Result<Micros, StoreError> {
    let head = heads::get(connection, helpdesk)?;
    Ok(head.map_or(0, |head| head.last_time).min(now))
}

/// Looks at the next few and forgets the old ones among them: how far it has come, which is None at the end of the round, and
/// how many it forgot.
async fn step(
    engine: &Engine,
    helpdesk: &str,
    place: requests::Place,
) -> Result<(Option<requests::Place>, usize), Failure> {
    let (helpdesk, now) = (helpdesk.to_owned(), engine.clock().now());
    engine
        .read(move |connection| {
            let before = common_time(connection, &helpdesk, now)? - REQUEST_IDS_KEPT;
            let found = requests::behind(connection, &helpdesk, &place, before, AT_ONCE)?;
            let is_end = found.len() < AT_ONCE as usize;
            let last = found.last().map(|(place, _)| place.clone());
            let old: Vec<_> = found.into_iter().filter(|(_, is_old)| *is_old).map(|(place, _)| place).collect();
            if !old.is_empty() {
                dialect::write(connection, |connection| {
                    Ok::<_, StoreError>(requests::forget(connection, &helpdesk, &old)?)
                })?;
            }
            Ok((last.filter(|_| !is_end), old.len()))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_much_goes_more_is_looked_at() {
        assert!(goes_on(19, 0, LONGEST));
        assert!(!goes_on(20, 499, Duration::ZERO));
        assert!(goes_on(20, 500, Duration::ZERO));
        assert!(!goes_on(20, 1_000, LONGEST));
    }
}
