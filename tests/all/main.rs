//! End-to-end scenarios through the real edges.

mod approval;
