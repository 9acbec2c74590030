#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where the image folder has a script for certificates: image/mkcerts beside
# it makes them.
exec "$(dirname "$(readlink -f "$0")")/../image/mkcerts" "$@"
