"""Which system of pedicle screws is on radiographs: crops, models, their ensembles, what is unknown, attention."""
