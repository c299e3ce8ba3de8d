//! End-to-end scenarios through the real edges.

mod approval;
mod aws_faults;
mod balrog;
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
mod levels;
mod maintenance;
mod operations;
mod outside;
mod race;
mod real_process;
mod repeated;
mod runbooks;
mod runbooks_aws;
mod slack_faults;
mod switch;
mod unheard;
mod verbs;
