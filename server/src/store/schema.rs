//! The tables, in the portable types that both databases share. What they hold is said in `migrations/`.

diesel::table! {
    heads (helpdesk) {
        helpdesk -> Text,
        last_revision -> BigInt,
        last_ticket -> BigInt,
        last_number -> BigInt,
        last_time -> BigInt,
        definition_version -> BigInt,
    }
}

diesel::table! {
    directory (helpdesk, id) {
        helpdesk -> Text,
        id -> Text,
        definition -> Binary,
        revision -> BigInt,
        create_time -> BigInt,
    }
}

diesel::table! {
    definitions (helpdesk, version) {
        helpdesk -> Text,
        version -> BigInt,
        definition -> Binary,
        revision -> BigInt,
        create_time -> BigInt,
    }
}

diesel::table! {
    access_keys (helpdesk, id) {
        helpdesk -> Text,
        id -> Text,
        hash -> Binary,
        role -> Text,
        subject -> Text,
        helpdesks -> Text,
        display_name -> Text,
        create_time -> BigInt,
        revoke_time -> Nullable<BigInt>,
        revision -> BigInt,
    }
}

diesel::table! {
    tickets (helpdesk, ticket) {
        helpdesk -> Text,
        ticket -> BigInt,
        uid -> Text,
        number -> Text,
        requester -> Text,
        subject -> Text,
        channel -> Text,
        fields -> Text,
        tags -> Text,
        cc -> Text,
        external_refs -> Text,
        priority -> Text,
        status -> Text,
        state -> Text,
        queue -> Text,
        queue_key -> Text,
        assignee -> Text,
        solution -> Text,
        receive_time -> BigInt,
        queue_time -> Nullable<BigInt>,
        create_time -> BigInt,
        update_time -> BigInt,
        first_reply_time -> Nullable<BigInt>,
        close_time -> Nullable<BigInt>,
        revision -> BigInt,
        staff_replies -> Integer,
        requester_replies -> Integer,
        service_replies -> Integer,
        notes -> Integer,
        more -> Text,
        body -> Text,
    }
}

diesel::table! {
    ticket_fields (helpdesk, field, value, ticket) {
        helpdesk -> Text,
        field -> Text,
        value -> Text,
        ticket -> BigInt,
    }
}

diesel::table! {
    external_refs (helpdesk, source, id) {
        helpdesk -> Text,
        source -> Text,
        id -> Text,
        ticket -> BigInt,
    }
}

diesel::table! {
    replies (helpdesk, ticket, reply) {
        helpdesk -> Text,
        ticket -> BigInt,
        reply -> BigInt,
        author -> Text,
        author_role -> Text,
        kind -> Text,
        body -> Text,
        solution -> Text,
        create_time -> BigInt,
        revision -> BigInt,
        canned_response -> Text,
    }
}

diesel::table! {
    changes (helpdesk, revision, ordinal) {
        helpdesk -> Text,
        revision -> BigInt,
        ordinal -> Integer,
        ticket -> BigInt,
        uid -> BigInt,
        payload -> Binary,
    }
}

diesel::table! {
    requests (helpdesk, subject, request_id) {
        helpdesk -> Text,
        subject -> Text,
        request_id -> Text,
        command -> Text,
        digest -> Binary,
        revision -> BigInt,
        create_time -> BigInt,
    }
}

diesel::table! {
    counts (helpdesk, kind, id) {
        helpdesk -> Text,
        kind -> Text,
        id -> Text,
        tickets -> BigInt,
    }
}

diesel::table! {
    agents (helpdesk, agent) {
        helpdesk -> Text,
        agent -> Text,
        subject -> Text,
        display_name -> Text,
        queues -> Text,
        skills -> Text,
        active -> Integer,
        create_time -> BigInt,
        update_time -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    uploads (helpdesk, upload) {
        helpdesk -> Text,
        upload -> Text,
        subject -> Text,
        filename -> Text,
        mime_type -> Text,
        size -> BigInt,
        sha256 -> Binary,
        digest -> Binary,
        ticket -> BigInt,
        create_time -> BigInt,
        expire_time -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    requesters (helpdesk, requester) {
        helpdesk -> Text,
        requester -> Text,
        email -> Text,
        display_name -> Text,
        create_time -> BigInt,
        verify_time -> Nullable<BigInt>,
        code_hash -> Binary,
        code_expire_time -> BigInt,
        code_tries_left -> Integer,
        revision -> BigInt,
    }
}

diesel::table! {
    waiting_skills (helpdesk, queue, skill, queue_key, ticket) {
        helpdesk -> Text,
        queue -> Text,
        skill -> Text,
        queue_key -> Text,
        ticket -> BigInt,
    }
}

diesel::table! {
    attachments (helpdesk, attachment) {
        helpdesk -> Text,
        attachment -> Text,
        ticket -> BigInt,
        reply -> BigInt,
        note -> Integer,
        author -> Text,
        filename -> Text,
        mime_type -> Text,
        size -> BigInt,
        sha256 -> Binary,
        create_time -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    folders (helpdesk, folder) {
        helpdesk -> Text,
        folder -> Text,
        id -> Text,
    }
}

diesel::table! {
    signing_keys (helpdesk, id) {
        helpdesk -> Text,
        id -> Text,
        bits -> Binary,
        create_time -> BigInt,
    }
}
