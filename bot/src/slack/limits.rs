//! What fits where in Slack, and how longer texts are cut.
//!
//! Lengths are counted in UTF-16 units. Slack's own count is in characters, of which there are never more, so what fits here fits there whichever
//! way Slack counts an emoji.

/// The most blocks of a message.
pub const BLOCKS: usize = 50;
/// The most blocks of a form.
pub const VIEW_BLOCKS: usize = 100;
/// A section's text.
pub const SECTION: usize = 3_000;
/// A text of a context block.
pub const CONTEXT: usize = 2_000;
/// A field of a section.
pub const FIELD: usize = 2_000;
/// The most fields of a section.
pub const FIELDS: usize = 10;
/// The most buttons of a row.
pub const ACTIONS: usize = 25;
/// A button's face, and what a screen reader says for it.
pub const BUTTON: usize = 75;
/// A button's value.
pub const VALUE: usize = 2_000;
/// A link of a button or of a text.
pub const URL: usize = 3_000;
/// An id of an action, a block or a form.
pub const ID: usize = 255;
/// A confirm dialog's title.
pub const CONFIRM_TITLE: usize = 100;
/// A confirm dialog's text.
pub const CONFIRM_TEXT: usize = 300;
/// A confirm dialog's buttons.
pub const CONFIRM_BUTTON: usize = 30;
/// The text beside the blocks: `chat.update` refuses more.
pub const FALLBACK: usize = 4_000;
/// A form's title and buttons.
pub const VIEW_TITLE: usize = 24;
/// What a form is about.
pub const METADATA: usize = 3_000;
/// A field's label and hint.
pub const LABEL: usize = 2_000;
/// A field's longest text.
pub const INPUT: u16 = 3_000;

const CUT: &str = "…";

/// The length as it is counted here.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text that fits, with `…` at the end when it had to be cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let mut room = limit.saturating_sub(length(CUT));
    let mut kept = String::new();
    for c in text.chars() {
        let Some(left) = room.checked_sub(c.len_utf16()) else {
            break;
        };
        room = left;
        kept.push(c);
    }
    kept.push_str(CUT);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("😀😀😀", 5), "😀😀…");
        assert_eq!(cut("😀😀😀", 4), "😀…");
    }
}
