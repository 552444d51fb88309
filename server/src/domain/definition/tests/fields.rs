use super::*;

fn read(field_type: FieldType, value: &str) -> Result<String, String> {
    let mut spec = spec();
    let mut with_choices = field("x", field_type, if field_type.has_choices() { &["a", "b", "b/c"] } else { &[] });
    if let Some(retired) = with_choices.choices.get_mut(1) {
        retired.retired = true;
    }
    spec.fields.push(with_choices);
    let definition = Definition::check(spec).unwrap();
    let field = definition.field("x").unwrap();
    if let (Ok(canonical), Ok(admitted)) = (field.canonical(value), field.admits(value)) {
        assert_eq!(canonical, admitted);
        assert_eq!(field.canonical(&canonical).as_ref(), Ok(&canonical), "a canonical form is its own");
    }
    field.admits(value)
}

#[test]
fn values_are_kept_in_one_form() {
    let cases = [
        (FieldType::Text, "  as it is ", "  as it is "),
        (FieldType::Integer, "-7", "-7"),
        (FieldType::Integer, "9223372036854775807", "9223372036854775807"),
        (FieldType::Boolean, "true", "true"),
        (FieldType::Date, "2024-02-29", "2024-02-29"),
        (FieldType::Timestamp, "2026-03-31T09:00:00+07:00", "2026-03-31T02:00:00.000000Z"),
        (FieldType::Timestamp, "1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        (FieldType::Timestamp, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        (FieldType::Timestamp, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        (FieldType::Choice, "a", "a"),
        (FieldType::Tree, "b/c", "b/c"),
        (FieldType::Choice, "", ""),
    ];
    for (field_type, value, kept) in cases {
        assert_eq!(read(field_type, value).as_deref(), Ok(kept), "{field_type:?} {value}");
    }
}

#[test]
fn what_is_no_value_is_told_what_would_be_right() {
    let cases = [
        (FieldType::Text, "a\0b"),
        (FieldType::Integer, "007"),
        (FieldType::Integer, "+1"),
        (FieldType::Integer, "-0"),
        (FieldType::Integer, "9223372036854775808"),
        (FieldType::Integer, "1.0"),
        (FieldType::Boolean, "yes"),
        (FieldType::Date, "2023-02-29"),
        (FieldType::Date, "2024-2-9"),
        (FieldType::Date, "+2024-02-29"),
        (FieldType::Timestamp, "2026-03-31 09:00"),
        (FieldType::Timestamp, "0000-12-31T00:00:00Z"),
        (FieldType::Timestamp, "9999-12-31T23:59:59-01:00"),
        (FieldType::Choice, "A"),
        (FieldType::Choice, "b"),
    ];
    let told: Vec<String> = cases
        .into_iter()
        .map(|(field_type, value)| format!("{}: {}", field_type.word(), read(field_type, value).unwrap_err()))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    text: contains the character U+0000: leave it out
    integer: "007" is not how an integer is written here: write 7
    integer: "+1" is not how an integer is written here: write 1
    integer: "-0" is not how an integer is written here: write 0
    integer: "9223372036854775808" is not an integer of 64 bits: write decimal digits, such as 42 or -7
    integer: "1.0" is not an integer of 64 bits: write decimal digits, such as 42 or -7
    boolean: "yes" is not a boolean: write true or false
    date: "2023-02-29" is not a date: write YYYY-MM-DD, such as 2026-03-31
    date: "2024-2-9" is not a date: write YYYY-MM-DD, such as 2026-03-31
    date: "+2024-02-29" is not a date: write YYYY-MM-DD, such as 2026-03-31
    timestamp: "2026-03-31 09:00" is not a time: write RFC 3339, such as 2026-03-31T09:00:00+07:00
    timestamp: "0000-12-31T00:00:00Z" is not a time: write RFC 3339, such as 2026-03-31T09:00:00+07:00
    timestamp: "9999-12-31T23:59:59-01:00" is not a time: write RFC 3339, such as 2026-03-31T09:00:00+07:00
    choice: "A" is none of the choices: valid are `a` or `b/c`
    choice: "b" is retired: valid are `a` or `b/c`
    "#);
}

/// Agents come and go, and a definition stays.
#[test]
fn a_definition_names_no_agent() {
    let mut wrong = spec();
    wrong.fields.push(FieldSpec { default_value: "budi".to_owned(), ..field("pic", FieldType::Agent, &[]) });
    wrong.transitions[1].effects.fields = [("pic".to_owned(), "budi".to_owned())].into();
    insta::assert_snapshot!(lines(&Definition::check(wrong.clone()).unwrap_err()), @r"
    fields[3].default_value: names an agent, who may leave: leave it out
    transitions[1].effects.fields.pic: names an agent, who may leave: leave it out, or empty it
    ");
    wrong.fields[3].default_value.clear();
    wrong.transitions[1].effects.fields = [("pic".to_owned(), String::new())].into();
    Definition::check(wrong).unwrap();
}

#[test]
fn text_has_a_limit() {
    assert!(read(FieldType::Text, &"é".repeat(4_096)).is_ok());
    assert_eq!(read(FieldType::Text, &"é".repeat(4_097)), Err("has 4097 characters: at most 4096 are kept".to_owned()));
}
