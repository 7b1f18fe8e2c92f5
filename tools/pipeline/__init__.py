# SPDX-License-Identifier: Apache-2.0
"""Writes the ingest pipeline from what the Python code goes by.

::

    tidy.painless      clears what is in the way of objects
    record.painless    takes a record apart, as shipper.parse does
    meaning.painless   says what it means, as shipper.knowledge and shipper.enrich do
    *.painless         parts of these two
    scripts            fills in expressions and constants: they are the modules' own
    tables             the data files, as the scripts' parameters
    regex              Python's expressions as Java's
    body               the pipeline around them

``python -m tools.pipeline`` writes the file; with ``--check`` it compares.
"""
