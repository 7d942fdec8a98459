//! What `serve --demo` tells the one who tries it.

use std::{net::SocketAddr, path::Path};

use crate::demo::Loaded;

/// The URLs, the users with their passwords, and what to try next.
///
/// `program` is how a shell calls this program.
pub fn text(
    http: SocketAddr,
    https: SocketAddr,
    data_dir: &Path,
    program: &str,
    users: &[Loaded],
) -> String {
    let mut lines = vec![String::new()];
    for (name, path) in [
        ("EMSMDB", "/mapi/emsmdb"),
        ("NSPI", "/mapi/nspi"),
        ("Autodiscover", "/autodiscover/autodiscover.xml"),
    ] {
        lines.push(format!("{name:<13} http://{http}{path}"));
        lines.push(format!("{:<13} https://{https}{path}", ""));
    }
    lines.push(format!("\n{:<28} {:<22} password", "user", "name"));
    for Loaded { user, new } in users {
        let note = if *new { "" } else { " (unless changed since)" };
        lines.push(format!(
            "{:<28} {:<22} {}{note}",
            user.email, user.name, user.password
        ));
    }
    if let Some(Loaded { user, .. }) = users.first() {
        let (email, password) = (&user.email, &user.password);
        lines.push(format!(
            "\nTry next, in another terminal: where a client finds the mailbox, and what is in it\n  \
             curl -u {email}:{password} -H 'Content-Type: text/xml' -d '{}' \
             http://{http}/autodiscover/autodiscover.xml\n  \
             {program} user show {email} --data-dir {}",
            autodiscover_request(email),
            data_dir.display()
        ));
    }
    lines.push("\nCtrl-C stops the server.\n\n".to_owned());
    lines.join("\n")
}

/// MS-OXDSCLI 2.2.3.
fn autodiscover_request(email: &str) -> String {
    format!(
        "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request><EMailAddress>{email}</EMailAddress><AcceptableResponseSchema>\
         http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::DemoUser;

    #[test]
    fn everything_to_start_with_is_in_it() {
        let user = DemoUser {
            email: "ada@example.test".to_owned(),
            name: "Ada".to_owned(),
            password: "secret".to_owned(),
        };
        let text = text(
            ([127, 0, 0, 1], 81).into(),
            ([127, 0, 0, 1], 82).into(),
            Path::new("/tmp/x"),
            "target/release/ropewalk",
            &[Loaded { user, new: true }],
        );
        for part in [
            "http://127.0.0.1:81/mapi/emsmdb\n",
            "https://127.0.0.1:82/mapi/nspi\n",
            "https://127.0.0.1:82/autodiscover/autodiscover.xml\n",
            "ada@example.test",
            "secret\n",
            "curl -u ada@example.test:secret",
            "  target/release/ropewalk user show ada@example.test --data-dir /tmp/x\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.ends_with('\n'));
    }
}
