//! Which handler a path belongs to.

use ropewalk_wire::mapihttp::Endpoint;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/mapi/emsmdb` or `/mapi/nspi`.
    Mapi(Endpoint),
    /// Another path below `/mapi`.
    UnknownMapi,
    /// `/autodiscover/autodiscover.xml`.
    Autodiscover,
    /// `/autodiscover/autodiscover.json` and what is below it.
    AutodiscoverJson,
    /// Nothing.
    Unknown,
}

impl Route {
    /// The route of a path, whatever the case of its letters, with or without a slash at its end.
    pub fn of(path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let is = |known: &str| path.eq_ignore_ascii_case(known);
        let below = |known: &str| {
            path.get(..known.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(known))
        };
        if is("/mapi/emsmdb") {
            Self::Mapi(Endpoint::Mailbox)
        } else if is("/mapi/nspi") {
            Self::Mapi(Endpoint::AddressBook)
        } else if is("/mapi") || below("/mapi/") {
            Self::UnknownMapi
        } else if is("/autodiscover/autodiscover.xml") {
            Self::Autodiscover
        } else if is("/autodiscover/autodiscover.json") || below("/autodiscover/autodiscover.json/")
        {
            Self::AutodiscoverJson
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_their_routes() {
        let mailbox = Route::Mapi(Endpoint::Mailbox);
        for (path, route) in [
            ("/mapi/emsmdb", mailbox),
            ("/mapi/emsmdb/", mailbox),
            ("/MAPI/EmsMdb/", mailbox),
            ("/mapi/nspi/", Route::Mapi(Endpoint::AddressBook)),
            ("/mapi/emsmdb//", Route::UnknownMapi),
            ("/mapi/emsmdbx", Route::UnknownMapi),
            ("/mapi", Route::UnknownMapi),
            ("/mapix", Route::Unknown),
            ("/Autodiscover/Autodiscover.xml", Route::Autodiscover),
            ("/Autodiscover/Autodiscover.json", Route::AutodiscoverJson),
            (
                "/autodiscover/autodiscover.json/v1.0/a@b",
                Route::AutodiscoverJson,
            ),
            ("/autodiscover/autodiscover.jsonx", Route::Unknown),
            ("/autodiscover/autodiscover.svc", Route::Unknown),
            ("/autodiscover", Route::Unknown),
            ("/", Route::Unknown),
            ("", Route::Unknown),
            ("/\u{e4}", Route::Unknown),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
