"""What a user declares: steps, pipelines, the graph they draw, and the records of what happened.

Plain data, no input or output.
"""
