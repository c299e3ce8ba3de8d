//! Pages of lists. A token says where to go on in a way that new items do not shift.

/// One page, and the token of the next if there is one.
pub(crate) type Page<'a, T> = (Vec<&'a T>, Option<String>);

/// A page of `items` from the front. `None`: the token is not one of ours.
pub(crate) fn forward<'a, T>(items: &'a [T], size: i64, token: Option<&str>) -> Option<Page<'a, T>> {
    let from = token.map_or(Some(0), |token| offset(token, "f"))?;
    let rest = items.get(from..)?;
    let size = usize::try_from(size).ok()?;
    let more = rest.len() > size;
    Some((rest.iter().take(size).collect(), more.then(|| make("f", from + size))))
}

/// A page of `items` (oldest first) from the newest back. The token counts the older items that are left, so what comes meanwhile
/// does not make an item appear twice. `None`: the token is not one of ours.
pub(crate) fn backward<'a, T>(items: &'a [T], size: i64, token: Option<&str>) -> Option<Page<'a, T>> {
    let until = token.map_or(Some(items.len()), |token| offset(token, "b"))?;
    let rest = items.get(..until)?;
    let size = usize::try_from(size).ok()?;
    let left = until.saturating_sub(size);
    Some((
        rest.iter().rev().take(size).collect(),
        (left > 0).then(|| make("b", left)),
    ))
}

fn make(kind: &str, offset: usize) -> String {
    hex::encode(format!("{kind}:{offset}"))
}

fn offset(token: &str, kind: &str) -> Option<usize> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let (found, offset) = text.split_once(':')?;
    (found == kind).then_some(offset)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_from_the_newest_back_do_not_repeat_what_was_seen_when_items_arrive() {
        let mut items = vec![1, 2, 3, 4, 5];
        let (first, token) = backward(&items, 2, None).unwrap();
        assert_eq!(first, [&5, &4]);
        let token = token.unwrap();
        items.push(6);
        let (second, token) = backward(&items, 2, Some(&token)).unwrap();
        assert_eq!(second, [&3, &2]);
        let (third, none) = backward(&items, 2, token.as_deref()).unwrap();
        assert_eq!((third, none), (vec![&1], None));
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let items = [1, 2, 3];
        let (_, token) = forward(&items, 1, None).unwrap();
        assert!(backward(&items, 1, token.as_deref()).is_none(), "another list's token");
        for bad in ["", "zz", "623a39", "623a2d31"] {
            assert!(backward(&items, 1, Some(bad)).is_none(), "{bad}");
        }
    }
}
