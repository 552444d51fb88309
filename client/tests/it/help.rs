//! What `--help` tells, of all that the commands' own files say.

use crate::command::{loket, run, text};

async fn help(line: &str) -> String {
    let mut command = loket("http://127.0.0.1:1");
    command.args(line.split(' '));
    let output = run(command).await;
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    // As if it were not wrapped.
    text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_scripts_read_is_in_the_long_help() {
    for (line, told) in [
        ("ticket watch --help", "`{\"restarted\": true}` where a stream broke"),
        ("ticket escalate --help", "an `EscalateTicketResponse`: `{\"ticket\": …}`, and `\"child\"`"),
        ("ticket transition --help", "[alias: --reason]"),
        ("ticket reply --help", "With --validate-only none is uploaded"),
        ("queue next --help", "Where no ticket waits it is `{}`, and the exit code is 8."),
        ("helpdesk apply --help", "With `-o json` it is the `Helpdesk`"),
        ("helpdesk explain --help", "With `-o json` it is the definition itself"),
        ("attachment get --help", "With `-o json` it is the `Attachment`"),
        ("attachment upload --help", "With `-o json` it is the `Upload`"),
        ("key revoke --help", "its streams end within seconds"),
        ("bench --help", "uses distinct request ids"),
        ("import --help", "the rejects file, with the reason"),
        ("--help", "a file here that cannot be read or written"),
        ("help", "a file here that cannot be read or written"),
        ("help ticket watch", "`{\"restarted\": true}` where a stream broke"),
    ] {
        let help = help(line).await;
        assert!(help.contains(told), "{line}: {help}");
    }
}

#[tokio::test]
async fn the_short_help_of_a_group_has_one_short_sentence_for_each_command() {
    for group in ["ticket", "helpdesk", "queue", "agent", "attachment", "requester", "feedback", "key", "bench"] {
        let mut command = loket("http://127.0.0.1:1");
        command.args([group, "-h"]);
        let output = run(command).await;
        let lines = text(&output.stdout).lines().skip_while(|line| *line != "Commands:").skip(1);
        let commands: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(commands.len() > 1, "{group}");
        for line in commands {
            let (_, about) = line.trim().split_once(' ').unwrap_or_default();
            let wraps = line.starts_with("   ");
            assert!(!wraps && !about.is_empty() && !about.contains(". "), "{group}: {line}");
        }
    }
}
