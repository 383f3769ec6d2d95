"""A command that needs a package which is not there."""

raise ModuleNotFoundError("No module named 'streamlit'", name="streamlit")
