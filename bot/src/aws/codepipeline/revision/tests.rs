use super::*;

fn trigger(detail: &str) -> ExecutionTrigger {
    ExecutionTrigger::builder()
        .trigger_type(TriggerType::StartPipelineExecution)
        .trigger_detail(detail)
        .build()
}

#[test]
fn a_session_of_ours_names_its_person_and_an_email_is_told() {
    let ours = starter(Some(&trigger("arn:aws:sts::1:assumed-role/signalbox/slack-U0ANN")));
    assert_eq!(ours.user.as_ref().unwrap().as_str(), "U0ANN");
    assert_eq!(starter_email(&ours), None);
    let sso = starter(Some(&trigger(
        "arn:aws:sts::1:assumed-role/AWSReservedSSO_dev/dana@example.org",
    )));
    assert_eq!(
        (sso.user.as_ref(), starter_email(&sso)),
        (None, Some("dana@example.org"))
    );
    // Whoever names a branch or a pipeline like a session does not become a person by it.
    let fake = starter(Some(&trigger("wallet/slack-U0ANN")));
    assert_eq!((fake.user, starter(None).detail), (None, String::new()));
    assert_eq!(starter(Some(&trigger(""))).detail, "StartPipelineExecution");
}

#[test]
fn a_summary_is_the_first_line_of_the_message() {
    assert_eq!(
        summary("{\"ProviderType\":\"GitHub\",\"CommitMessage\":\"fix\\n\\nlong\"}"),
        "fix"
    );
    assert_eq!(summary("plain\nmore"), "plain");
    assert_eq!(summary("{\"Other\":1}"), "{\"Other\":1}");
    assert_eq!(summary(""), "");
}
