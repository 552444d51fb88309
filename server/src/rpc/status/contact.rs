//! Why somebody may not file, or may not be heard.

use loket::v1::ErrorReason;
use tonic::{Code, Status};

use super::{build, failed, invalid, kind_name};
use crate::domain::{ContactRefusal, Violation, text};

pub(super) fn status(refusal: ContactRefusal) -> Status {
    match refusal {
        ContactRefusal::RequesterNotRegistered { helpdesk, email, must_be_verified } => failed(
            ErrorReason::RequesterNotRegistered,
            [("email", email.clone())],
            format!(
                "helpdesks/{helpdesk} takes tickets of registered requesters, and {email} is not registered: call \
                     RegisterRequester{} first",
                if must_be_verified { ", and VerifyRequester with the code that is mailed," } else { "" },
            ),
            &[],
        ),
        ContactRefusal::RequesterNotVerified { name, email } => failed(
            ErrorReason::RequesterNotVerified,
            [("requester", name.clone()), ("email", email.clone())],
            format!(
                "{email} is registered and not verified: first call VerifyRequester with the code that was mailed to it"
            ),
            &[],
        ),
        ContactRefusal::CodeRefused { name, tries_left } => failed(
            ErrorReason::VerificationCodeRefused,
            [("requester", name.clone()), ("tries_left", tries_left.to_string())],
            match tries_left {
                0 => format!(
                    "the code is not that of {name}, and was the last that is taken: register again for another"
                ),
                1 => format!("the code is not that of {name}; one more is taken"),
                more => format!("the code is not that of {name}; {more} more are taken"),
            },
            &[],
        ),
        ContactRefusal::CodeExpired { name } => failed(
            ErrorReason::VerificationCodeExpired,
            [("requester", name.clone())],
            format!(
                "no code of {name} is good: none was made, or it is older than 30 minutes, or was tried too often; a \
                     service or an admin registers the address again for another"
            ),
            &[],
        ),
        ContactRefusal::NoSurvey { helpdesk } => failed(
            ErrorReason::NoSurvey,
            [("helpdesk", format!("helpdesks/{helpdesk}"))],
            format!("the definition of helpdesks/{helpdesk} has no survey"),
            &[],
        ),
        ContactRefusal::FeedbackExists { ticket } => build(
            Code::AlreadyExists,
            ErrorReason::FeedbackExists,
            [("ticket", ticket.clone())],
            format!("{ticket} has its feedback already; each closing is answered once"),
            |details| {
                details.set_resource_info(kind_name("Ticket"), &ticket, "", "has its feedback");
            },
        ),
        ContactRefusal::InvalidSurveyToken { ticket } => invalid(
            ErrorReason::InvalidSurveyToken,
            "the token is invalid",
            &[Violation::new("token", format!("is not of a survey link of {}", text::shown(&ticket)))],
        ),
        ContactRefusal::SurveyTokenExpired { ticket, expire_time } => failed(
            ErrorReason::SurveyTokenExpired,
            [("expire_time", expire_time.clone())],
            format!("the survey link of {ticket} was good until {expire_time}; ask the helpdesk for another"),
            &[],
        ),
    }
}
