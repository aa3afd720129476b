"""What a person sees and does beside a run: jobs, storage, history, failures, watch, doctor, orders, reviews."""
