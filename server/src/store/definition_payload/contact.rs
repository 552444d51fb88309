//! What requesters are written and asked, and what must be known of them.

use loket::v1 as proto;

use super::Words;
use crate::domain::definition::IdentityPolicy;
use crate::domain::definition::spec::{CannedResponseSpec, SurveySpec};

pub(super) fn canned_response(canned: &proto::CannedResponse) -> CannedResponseSpec {
    let proto::CannedResponse { id, display_name, body, retired } = canned;
    CannedResponseSpec { id: id.clone(), display_name: display_name.clone(), body: body.clone(), retired: *retired }
}

pub(super) fn canned_response_to_proto(spec: &CannedResponseSpec) -> proto::CannedResponse {
    let CannedResponseSpec { id, display_name, body, retired } = spec;
    proto::CannedResponse { id: id.clone(), display_name: display_name.clone(), body: body.clone(), retired: *retired }
}

pub(super) fn survey(survey: &proto::SurveyPolicy) -> SurveySpec {
    let proto::SurveyPolicy { uri_template, link_days } = survey;
    SurveySpec { uri_template: uri_template.clone(), link_days: *link_days }
}

pub(super) fn survey_to_proto(spec: &SurveySpec) -> proto::SurveyPolicy {
    let SurveySpec { uri_template, link_days } = spec;
    proto::SurveyPolicy { uri_template: uri_template.clone(), link_days: *link_days }
}

pub(super) const IDENTITY_POLICIES: Words<IdentityPolicy> = &[
    (proto::IdentityPolicy::Anybody as i32, "IDENTITY_POLICY_ANYBODY", IdentityPolicy::Anybody),
    (proto::IdentityPolicy::Registered as i32, "IDENTITY_POLICY_REGISTERED", IdentityPolicy::Registered),
    (proto::IdentityPolicy::Verified as i32, "IDENTITY_POLICY_VERIFIED", IdentityPolicy::Verified),
];
