"""Pictures as data: options of ECharts and figures of Plotly, made from frames by pure functions.

Colours are readable on dark and on light ground, and never the only thing that tells.
"""
