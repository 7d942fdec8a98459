//! From what the store says to what a client is told.

use ropewalk_store::StoreError;
use ropewalk_wire::ErrorCode;

use super::exec::Fail;

/// The ReturnValue for a store error; the cause goes to the log, where it is one to act on.
pub fn code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::NotFound => ErrorCode::NOT_FOUND,
        StoreError::DuplicateName(_) => ErrorCode::DUPLICATE_NAME,
        StoreError::Conflict => ErrorCode::OBJECT_MODIFIED,
        StoreError::TooLarge => ErrorCode::TOO_BIG,
        _ => {
            tracing::error!(%error, "the store could not do what a client asked");
            ErrorCode::GENERAL_FAILURE
        }
    }
}

/// As [`code`], by value, for `map_err`.
pub fn fail(error: StoreError) -> ErrorCode {
    code(&error)
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Code(code(&error))
    }
}
