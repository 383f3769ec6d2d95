"""The scripts that Streamlit runs, one for each page; they hold nothing but a call."""
