"""Reports: everything there is to know of a trained model on one page that needs nothing else."""

from chainrule.pictures.report.neurons import LayerState, neuron_states
from chainrule.pictures.report.page import report_html, write_report
from chainrule.pictures.report.subject import Subject, versions

__all__ = ["LayerState", "Subject", "neuron_states", "report_html", "versions", "write_report"]
