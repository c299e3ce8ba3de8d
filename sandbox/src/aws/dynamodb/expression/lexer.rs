//! The words and signs of an expression.

/// A word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// An attribute, a keyword or a function.
    Word(String),
    /// `#name`.
    Name(String),
    /// `:value`.
    Value(String),
    /// A number within brackets.
    Index(usize),
    Symbol(&'static str),
}

const SYMBOLS: &[&str] = &["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]", "+", "-"];

/// The tokens of an expression, with where each stands.
#[derive(Debug)]
pub(super) struct Lexer {
    tokens: Vec<(Token, usize, usize)>,
    at: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            if first.is_whitespace() {
                at += first.len_utf8();
                continue;
            }
            let rest = &text[at..];
            let word = |from: usize| {
                let letters = rest[from..].find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                letters.map_or(rest.len(), |length| from + length)
            };
            let (token, length) = if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                (Token::Symbol(symbol), symbol.len())
            } else if first == '#' || first == ':' {
                let length = word(1);
                let text = rest[..length].to_owned();
                (
                    if first == '#' {
                        Token::Name(text)
                    } else {
                        Token::Value(text)
                    },
                    length,
                )
            } else if first.is_alphanumeric() || first == '_' {
                let length = word(0);
                let text = &rest[..length];
                let index = text.parse().ok().map(Token::Index);
                (index.unwrap_or_else(|| Token::Word(text.to_owned())), length)
            } else {
                return Err(format!(
                    "Syntax error; token: \"{first}\", near: \"{}\"",
                    near(text, at, at + first.len_utf8())
                ));
            };
            tokens.push((token, at, at + length));
            at += length;
        }
        Ok(Self { tokens, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, ..)| token)
    }

    pub(super) fn second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(token, ..)| token)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    pub(super) fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    /// The token that stands here and what is around it, for a complaint.
    pub(super) fn place<'a>(&self, text: &'a str) -> (&'a str, &'a str) {
        match self.tokens.get(self.at) {
            Some((_, from, until)) => (&text[*from..*until], near(text, *from, *until)),
            None => (
                "<EOF>",
                self.tokens
                    .last()
                    .map_or(text, |(_, from, until)| near(text, *from, *until)),
            ),
        }
    }
}

/// A part of the text around a token: from the word before to the word after it.
fn near(text: &str, from: usize, until: usize) -> &str {
    let before = text[..from]
        .trim_end()
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + 1);
    let blank = text[until..].len() - text[until..].trim_start().len();
    let after = text[until + blank..]
        .find(char::is_whitespace)
        .map_or(text.len(), |at| until + blank + at);
    text[before..after].trim()
}
