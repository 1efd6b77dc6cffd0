/* A library needs one file; this one stands in while a layer has none. */
extern int argent_empty;
