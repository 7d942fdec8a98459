//! X-RequestType (MS-OXCMAPIHTTP 2.2.3.3.1).

/// One of the two endpoints (MS-OXCMAPIHTTP 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/mapi/emsmdb`.
    Mailbox,
    /// `/mapi/nspi`.
    AddressBook,
}

macro_rules! request_types {
    ($($name:ident $header:literal $endpoint:ident;)*) => {
        /// What a request asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // The request types have the names of the specification.
        pub enum RequestType {
            $($name,)*
            Ping,
        }

        impl RequestType {
            /// Every request type.
            pub const ALL: &'static [Self] = &[$(Self::$name,)* Self::Ping];

            /// The name in the X-RequestType header.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $header,)*
                    Self::Ping => "PING",
                }
            }

            /// Whether the endpoint has this request type.
            pub fn is_of(self, endpoint: Endpoint) -> bool {
                match self {
                    $(Self::$name => endpoint == Endpoint::$endpoint,)*
                    Self::Ping => true,
                }
            }
        }
    };
}

request_types! {
    Connect "Connect" Mailbox;
    Execute "Execute" Mailbox;
    Disconnect "Disconnect" Mailbox;
    NotificationWait "NotificationWait" Mailbox;
    Bind "Bind" AddressBook;
    Unbind "Unbind" AddressBook;
    CompareMinIds "CompareMIds" AddressBook;
    DnToMinId "DNToMId" AddressBook;
    GetMatches "GetMatches" AddressBook;
    GetPropList "GetPropList" AddressBook;
    GetProps "GetProps" AddressBook;
    GetSpecialTable "GetSpecialTable" AddressBook;
    GetTemplateInfo "GetTemplateInfo" AddressBook;
    ModLinkAtt "ModLinkAtt" AddressBook;
    ModProps "ModProps" AddressBook;
    QueryColumns "QueryColumns" AddressBook;
    QueryRows "QueryRows" AddressBook;
    ResolveNames "ResolveNames" AddressBook;
    ResortRestriction "ResortRestriction" AddressBook;
    SeekEntries "SeekEntries" AddressBook;
    UpdateStat "UpdateStat" AddressBook;
    GetMailboxUrl "GetMailboxUrl" AddressBook;
    GetAddressBookUrl "GetAddressBookUrl" AddressBook;
}

/// The titles of 2.2.5.3 and 2.2.5.4, and the request types' names in clients that use them.
const OTHER_SPELLINGS: [(&str, RequestType); 2] = [
    ("CompareMinIds", RequestType::CompareMinIds),
    ("DnToMinId", RequestType::DnToMinId),
];

impl RequestType {
    /// The request type of an X-RequestType header, whatever the case of its letters.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().map(|ty| (ty.name(), *ty));
        known
            .chain(OTHER_SPELLINGS)
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, ty)| ty)
    }
}
