"""The pages, one a step of the job, each with a start page before it."""
