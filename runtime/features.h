/* SPDX-License-Identifier: Apache-2.0
 * The command features: OCI runtime-spec features.md. */
#ifndef RUNTIME_FEATURES_H
#define RUNTIME_FEATURES_H

/* Prints the document on stdout. */
void features_print(void);

#endif
