//! Text up to its NUL.

use ropewalk_props::text::until_nul;

#[test]
fn text_ends_before_its_first_nul_wherever_that_is() {
    for units in [0, 1, 31, 32, 33, 64, 100] {
        let text = b"a\0".repeat(units);
        assert_eq!(until_nul(&text), text);
        assert_eq!(until_nul(&[&text[..], b"b"].concat()), text, "an odd byte");
        for at in 0..units {
            let mut text = text.clone();
            text[at * 2] = 0;
            assert_eq!(until_nul(&text).len(), at * 2, "{units}");
        }
    }
    // Two NUL bytes of different units are no NUL.
    assert_eq!(until_nul(b"a\0\0b"), b"a\0\0b");
}
