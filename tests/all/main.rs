//! End-to-end scenarios through the real edges.

mod approval;
mod aws_faults;
mod cards;
mod cli;
mod cost;
mod crash;
mod deliveries;
mod ends;
mod gates;
mod identity;
mod kill_points;
mod killed_at_random;
mod operations;
mod race;
mod real_process;
mod repeated;
mod runbooks;
mod slack_faults;
mod switch;
mod verbs;
