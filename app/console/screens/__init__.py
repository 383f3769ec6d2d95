"""The scripts that Streamlit runs, one for each page; they hold nothing but a call.

Not called ``pages``: of a folder by that name Streamlit makes pages of its own in a process's first
visit, so that the address of one of ours was answered with "page not found" then.
"""
