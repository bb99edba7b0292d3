"""Who rates whom, what the plan will cost and yield, and what came back."""

from svcmetrics.rate.burden import burden as burden
from svcmetrics.rate.connectivity import connectivity as connectivity
from svcmetrics.rate.load import load as load
from svcmetrics.rate.precision import precision as precision
from svcmetrics.rate.response import response as response
