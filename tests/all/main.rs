//! End-to-end scenarios through the real edges.

mod approval;
mod aws_faults;
mod cards;
mod cli;
mod crash;
mod ends;
mod gates;
mod identity;
mod race;
mod real_process;
mod slack_faults;
mod verbs;
