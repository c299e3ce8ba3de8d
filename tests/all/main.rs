//! End-to-end scenarios through the real edges.

mod approval;
mod ends;
mod slack_faults;
mod verbs;
mod identity;
mod aws_faults;
mod cards;
