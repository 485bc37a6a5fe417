"""The restated networks. A model is one file and one line here.

A file provides
  build(args)               the network; forward takes the inputs of a case by name; parameters have official names
  VARIANTS                  variant -> small default arguments (official names) for generated cases
  draw(args, shape, batch)  random inputs by name; puts what the network must know of the shape into args
  PUBLISHED                 name in the race -> (arguments over those of VARIANTS, shape, batch)
and may provide
  COMPUTED                  pattern of state entries that follow from a formula and need not be in a file
  CONSTANT_INPUTS           float inputs whose gradient nobody wants, such as coordinates of grid lines
  randomise(model)          values that random weights of the general kind would not exercise
  FIXED_INPUTS              inputs that become shapes, which an ONNX graph cannot vary
  replay(aux)               random draws of the next passes as a case recorded them
  aux(model)                what its newest call gave beside the output, by name: /aux of a case
  for_export(model, inputs) the same function in operations that the ONNX exporter writes correctly
"""
import importlib

MODELS = ("factformer", "transolver", "gnot", "mano", "pde_transformer", "ifactformer_m", "fno",
          "informer", "itransformer", "patchtst", "etsformer", "tft", "samformer", "dlinear",
          "pathformer")


def get(name):
    if name not in MODELS:
        raise SystemExit("no restated network '%s'; there are %s" % (name, ", ".join(MODELS)))
    return importlib.import_module(name)


def published():
    """race name -> (model name, complete arguments, shape, batch)"""
    found = {}
    for name in MODELS:
        for case, (args, shape, batch) in get(name).PUBLISHED.items():
            found[case] = (name, dict(get(name).VARIANTS[args["variant"]], **args), list(shape), batch)
    return found


def input_gradients(name, inputs):
    """names of the inputs that get a gradient"""
    constant = getattr(get(name), "CONSTANT_INPUTS", ())
    return [k for k, t in inputs.items() if t.is_floating_point() and k not in constant]
