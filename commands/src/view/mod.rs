//! What people see, as data: cards, replies, forms. No vendor's types.

mod message;

pub use message::{
    Block, Button, ButtonStyle, Confirm, DateStyle, Inline, Input, Line, Message, Modal, Sign, bold, code, plain, text,
};
