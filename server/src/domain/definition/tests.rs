//! Tests of the definition as a whole.
