//! Address book bodies of MAPI over HTTP, both halves (MS-OXCMAPIHTTP 2.2.5).
//!
//! A [`RequestType`] names what a client asks; [`Request::decode`] reads its body, [`Response`] is
//! the frame of what comes back. Lists stay in the bytes they came in ([`List`]).

mod requests;
mod responses;
mod structures;
#[cfg(test)]
mod tests;

pub use requests::*;
pub use responses::*;
pub use structures::*;

use crate::{DecodeError, EncodeError, Reader, codec::Wire};

/// The body of a request: what it is called and what answers it.
pub trait RequestBody<'a>: Wire<'a> {
    /// Its request type.
    const REQUEST_TYPE: RequestType;
    /// What is between ErrorCode and the auxiliary buffer of its success response. The default has
    /// nothing in its optional parts.
    type Response<'r>: Wire<'r> + Default;
}

/// One row per request type: variant, its X-RequestType value, another spelling that is understood,
/// section of MS-OXCMAPIHTTP, request body and response body.
macro_rules! request_types {
    ($($variant:ident $name:literal $(| $alias:literal)? $section:literal
        $request:ident $(<$lt:lifetime>)? => $response:ty;)*) => {
        /// The request types of the address book endpoint that have a body; PING has none
        /// (MS-OXCMAPIHTTP 2.2.3.3.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RequestType {
            $(#[doc = concat!("MS-OXCMAPIHTTP ", $section, ".")] $variant,)*
        }

        impl RequestType {
            /// Every request type, in the order of the specification.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The value of the X-RequestType header.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The request type that a header value names, without regard to case.
            pub fn from_name(name: &str) -> Option<Self> {
                let is = |known: &str| name.eq_ignore_ascii_case(known);
                $(if is($name) $(|| is($alias))? {
                    return Some(Self::$variant);
                })*
                None
            }
        }

        /// A request with its body.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request<'a> {
            $(#[doc = concat!("MS-OXCMAPIHTTP ", $section, ".1.")] $variant($request $(<$lt>)?),)*
        }

        impl<'a> Request<'a> {
            /// Reads the whole of `body` as a request of this type.
            pub fn decode(request_type: RequestType, body: &'a [u8]) -> Result<Self, DecodeError> {
                let mut input = Reader::new(body);
                let request = match request_type {
                    $(RequestType::$variant => Self::$variant(Wire::decode(&mut input)?),)*
                };
                input.finish()?;
                Ok(request)
            }

            /// Appends the body.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(body) => body.encode(out),)*
                }
            }

            /// What kind of request it is.
            pub const fn request_type(&self) -> RequestType {
                match self {
                    $(Self::$variant(_) => RequestType::$variant,)*
                }
            }
        }

        $(
            impl<'a> RequestBody<'a> for $request $(<$lt>)? {
                const REQUEST_TYPE: RequestType = RequestType::$variant;
                type Response<'r> = $response;
            }

            impl<'a> From<$request $(<$lt>)?> for Request<'a> {
                fn from(body: $request $(<$lt>)?) -> Self {
                    Self::$variant(body)
                }
            }
        )*
    };
}

request_types! {
    Bind "Bind" "2.2.5.1" BindRequest<'a> => BindResponse;
    Unbind "Unbind" "2.2.5.2" UnbindRequest<'a> => EmptyResponse;
    CompareMIds "CompareMIds" | "CompareMinIds" "2.2.5.3"
        CompareMIdsRequest<'a> => CompareMIdsResponse;
    DnToMId "DNToMId" | "DnToMinId" "2.2.5.4" DnToMIdRequest<'a> => DnToMIdResponse<'r>;
    GetMatches "GetMatches" "2.2.5.5" GetMatchesRequest<'a> => GetMatchesResponse<'r>;
    GetPropList "GetPropList" "2.2.5.6" GetPropListRequest<'a> => GetPropListResponse<'r>;
    GetProps "GetProps" "2.2.5.7" GetPropsRequest<'a> => GetPropsResponse<'r>;
    GetSpecialTable "GetSpecialTable" "2.2.5.8"
        GetSpecialTableRequest<'a> => GetSpecialTableResponse<'r>;
    GetTemplateInfo "GetTemplateInfo" "2.2.5.9"
        GetTemplateInfoRequest<'a> => GetTemplateInfoResponse<'r>;
    ModLinkAtt "ModLinkAtt" "2.2.5.10" ModLinkAttRequest<'a> => EmptyResponse;
    ModProps "ModProps" "2.2.5.11" ModPropsRequest<'a> => EmptyResponse;
    QueryRows "QueryRows" "2.2.5.12" QueryRowsRequest<'a> => StateAndRowsResponse<'r>;
    QueryColumns "QueryColumns" "2.2.5.13" QueryColumnsRequest<'a> => QueryColumnsResponse<'r>;
    ResolveNames "ResolveNames" "2.2.5.14" ResolveNamesRequest<'a> => ResolveNamesResponse<'r>;
    ResortRestriction "ResortRestriction" "2.2.5.15"
        ResortRestrictionRequest<'a> => ResortRestrictionResponse<'r>;
    SeekEntries "SeekEntries" "2.2.5.16" SeekEntriesRequest<'a> => StateAndRowsResponse<'r>;
    UpdateStat "UpdateStat" "2.2.5.17" UpdateStatRequest<'a> => UpdateStatResponse;
    GetMailboxUrl "GetMailboxUrl" "2.2.5.18" GetMailboxUrlRequest<'a> => UrlResponse<'r>;
    GetAddressBookUrl "GetAddressBookUrl" "2.2.5.19"
        GetAddressBookUrlRequest<'a> => UrlResponse<'r>;
}
