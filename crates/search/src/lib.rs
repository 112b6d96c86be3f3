//! THE INDEX: what readers find, a view over the catalog and the facts that can be made anew.
