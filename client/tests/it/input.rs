//! Files that commands read: those that are not there, and those that are uploaded only for what is taken.

use loket_client::v1::Ticket;
use tonic::Status;

use crate::command::{CREATE, loket, run, text};
use crate::scripted::{Scene, serve};

#[tokio::test]
async fn a_file_that_cannot_be_read_is_no_refusal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "statuses: 7").unwrap();
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    for (line, exit) in [
        ("helpdesk apply nowhere.yaml", 1),
        ("helpdesk apply bad.yaml", 3),
        ("helpdesk apply bad.yaml nowhere.yaml", 3),
        ("import nowhere.csv --helpdesk h --map a=body --set subject=S --id-column a --source s", 1),
        ("import empty.csv --helpdesk h --map a=body --set subject=S --id-column a --source s", 3),
        ("import empty.csv --helpdesk h --history nowhere.yaml", 1),
        ("attachment upload nowhere.png --helpdesk h", 1),
        ("attachment upload . --helpdesk h", 1),
    ] {
        let mut command = loket("http://127.0.0.1:1");
        command.args(line.split(' ')).current_dir(folder.path());
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(exit), "{line}: {}", text(&output.stderr));
    }
}

#[tokio::test]
async fn files_are_uploaded_after_the_rest_is_found_valid() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "Hello").unwrap();
    let ticket = || Scene::Answers(Box::new(Ticket { name: "helpdesks/h/tickets/1".into(), ..Ticket::default() }));
    // The script has no uploads: one that is tried fails.
    for (flags, scene, exit, said) in [
        (
            &["--validate-only"][..],
            ticket(),
            0,
            "The files were not uploaded: they are here and can be read, and more of them was not looked at.\n\
             Valid; nothing was written.\n",
        ),
        (&[][..], Scene::Fails(Status::invalid_argument("no")), 3, "error: no\n"),
    ] {
        let (endpoint, seen) = serve([scene]).await;
        let mut command = loket(&endpoint);
        command.args(CREATE).args(["--attach", "a.txt", "--request-id", "018f0000-0000-7000-8000-000000000000"]);
        command.args(flags).current_dir(folder.path());
        let output = run(command).await;
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(exit), said));
        let seen = seen.lock().unwrap();
        assert!(seen.creates.len() == 1 && seen.creates[0].validate_only, "{:?}", seen.creates);
    }
}

#[tokio::test]
async fn what_could_not_be_meant_is_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "Hello").unwrap();
    let mapping = "{id_column: case, source: old, ticket: {}, events: {}}";
    std::fs::write(folder.path().join("mapping.yaml"), mapping).unwrap();
    for (line, exit, said) in [
        (
            "ticket reply h/1 --attach a.txt",
            2,
            "error: an empty reply takes no files, for it claims the ticket: say with --body, or --canned, what they are\n",
        ),
        (
            "import /dev/stdin - --helpdesk h --history mapping.yaml",
            3,
            "error: /dev/stdin can be read once, and with --history a file is read twice: write it to a file first\n\
             error: standard input can be read once, and with --history a file is read twice: write it to a file first\n",
        ),
    ] {
        let mut command = loket("http://127.0.0.1:1");
        command.args(line.split(' ')).current_dir(folder.path()).stdin(std::process::Stdio::piped());
        let output = run(command).await;
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(exit), said), "{line}");
    }
}

#[tokio::test]
async fn what_is_no_server_of_loket_is_not_taken_for_one() {
    let (endpoint, _) = serve([]).await;
    let mut command = loket(&endpoint);
    command.args(["bench", "etcd", "--etcd-endpoint", "http://127.0.0.1:1"]);
    let output = run(command).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{told}");
    assert!(told.starts_with("error: etcd, of which --etcd-endpoint is the address: cannot connect"), "{told}");
    assert!(!told.contains("hint:"), "{told}");
}
