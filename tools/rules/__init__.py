# SPDX-License-Identifier: Apache-2.0
"""Compiles ``dashboards/rules`` into what Kibana, Sigma and ElastAlert 2 read."""
