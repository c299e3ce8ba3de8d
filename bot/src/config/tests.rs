//! One picture for each kind of complaint, with its line.
