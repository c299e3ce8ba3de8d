//! End-to-end scenarios through the real edges.

mod approval;
mod aws_faults;
mod cards;
mod cli;
mod crash;
mod deliveries;
mod ends;
mod gates;
mod identity;
mod kill_points;
mod levels;
mod maintenance;
mod race;
mod real_process;
mod repeated;
mod runbooks;
mod slack_faults;
mod verbs;
